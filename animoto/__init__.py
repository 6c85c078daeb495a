"""Videos from pictures: the handler of animoto tasks, and the modules that others import to make a video."""
