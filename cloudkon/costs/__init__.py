"""What a job costs at list prices: after it ran, while it runs, and before it is submitted."""
