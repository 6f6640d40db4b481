"""What somebody has besides a password: a program that makes codes, passkeys, and recovery codes for their loss."""
