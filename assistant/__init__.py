"""The doors: REST, chat, command line, and the composition root."""
