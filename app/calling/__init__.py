"""What lines may do beyond the house: calling privileges (呼叫权限), each from a request and each with an end."""
