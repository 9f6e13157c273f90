"""What is known about publishers, one module each, and the generic spiders."""
