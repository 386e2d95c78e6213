"""What tests of any room stand on; product code never imports it."""
