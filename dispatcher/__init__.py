"""From a dropped workload to bundles on the queue: the two functions of the Lambda and what they do."""
