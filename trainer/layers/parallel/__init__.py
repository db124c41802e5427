"""Several small networks computed as one."""
