"""The commands of the command line, by subject: arguments in, what ``agents.commands`` returns printed."""
