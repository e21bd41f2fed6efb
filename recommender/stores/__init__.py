"""Storage behind ports."""
