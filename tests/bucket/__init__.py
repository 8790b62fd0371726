"""A bucket that speaks S3, in a process of its own, which keeps everything in memory."""
