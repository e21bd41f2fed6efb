"""A/B experiments: who sees which variant, what they were shown, and what came of it."""
