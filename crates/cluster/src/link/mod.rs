//! What is sent over a transport: batches, acknowledged and bounded.
