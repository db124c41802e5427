"""Floor 3: the experiment file, the pipeline graph, its runs, the simulator, the command line."""
