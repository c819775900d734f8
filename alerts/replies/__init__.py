"""What people answer: Slack buttons over Socket Mode, SMS by polling."""
