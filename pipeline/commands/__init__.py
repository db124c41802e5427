"""The commands of ``mtlx`` that have a module of their own, and what a command is."""
