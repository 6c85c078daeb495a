"""The ledger in one DynamoDB table: leases, jobs, control, history and the fleet's rows."""
