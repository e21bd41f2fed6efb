"""Training the fusion encoders (extra `[train]`)."""
