"""The commands of ``reelwise`` beyond serving, which ``assistant/cli.py`` puts together."""
