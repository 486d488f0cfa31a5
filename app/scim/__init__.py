"""SCIM 2.0 at ``/scim/v2``: how an identity provider puts people into the directory, by the same events, the same gate and the same log."""
