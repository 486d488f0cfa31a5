"""Forms, applicants, notices, consents."""
