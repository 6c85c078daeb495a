"""What a Python program uses: functions and workloads that run on this machine, or on a stage."""
