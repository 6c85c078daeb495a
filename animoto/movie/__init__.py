"""Makes the file: encoding, sound, the MP4 container, and the check of what was written."""
