"""Messages (消息): what people are told about every decision, in the application and by SMS."""
