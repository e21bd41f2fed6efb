"""Parsers of what strangers send, fed by libFuzzer through Atheris.

``python -m tests.fuzzing query --seconds 300`` needs the extra ``fuzz``; without it, the unit tests
feed each parser its seeds.
"""
