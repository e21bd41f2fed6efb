"""The chat door: Chainlit in the same process as the REST routes."""
