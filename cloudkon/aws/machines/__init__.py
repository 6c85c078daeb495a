"""The machines that workers run on: their scaling group, their images, their logs and prices."""
