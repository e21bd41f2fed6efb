"""The routes, one module per subject; each handler makes one call to the service."""
