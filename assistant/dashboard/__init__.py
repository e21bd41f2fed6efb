"""A page for who runs the service: how it is doing, from the metrics of this process."""
