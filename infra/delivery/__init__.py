"""What the delivery workflows do beside the CDK."""
