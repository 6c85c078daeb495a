"""`run LOCAL --processes`: whole workers in processes of their own, over the queue and the ledger of their parent."""
