"""Constructs, one concern each; stacks put them together."""
