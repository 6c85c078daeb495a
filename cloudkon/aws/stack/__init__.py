"""A stage's CloudFormation stack: brought up, compared, taken down."""
