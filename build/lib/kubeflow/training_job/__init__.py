"""Training on several machines: a `TFJob` of the Training Operator, made and awaited by a task."""
