"""The SageMaker inference container's program: a fusion encoder behind HTTP."""
