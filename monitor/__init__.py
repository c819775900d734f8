"""What is due, and when: from a mailbox to SLA clocks."""
