"""Training on several machines: a job of the cluster (`kinds`), made and awaited by a task."""
