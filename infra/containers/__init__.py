"""The images: their Dockerfile, and its steps run without a Docker engine."""
