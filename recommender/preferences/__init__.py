"""Learning a person's taste."""
