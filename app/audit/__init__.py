"""The access log: who looked at whom, made durable before anything is shown, and provable afterwards."""
