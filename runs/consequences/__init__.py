"""What follows a change of state, in the same transaction: rows for callbacks, alerts, e-mails and deadlines (invariant I6)."""
