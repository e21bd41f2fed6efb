"""Reelwise on AWS: a CDK app, container files, the canary, and what they cost."""
