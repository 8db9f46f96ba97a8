"""What happened at an event, in numbers: frame in, tidy frame out."""
