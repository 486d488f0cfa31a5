"""What approved requests do: examined, acted and ended directly, and walked over HTTP."""
