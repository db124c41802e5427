"""The same pipeline on Kubernetes: a Kubeflow Pipelines v2 package, its tasks, image, manifests."""
