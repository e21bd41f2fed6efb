"""The REST door: HTTP in, one call to the service, the domain's answer out."""
