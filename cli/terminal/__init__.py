"""What a person sees and types: tables, units, durations, confirmations, shared options."""
