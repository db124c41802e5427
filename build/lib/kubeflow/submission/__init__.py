"""From a compiled package to a run on the cluster, and to the gate's verdict."""
