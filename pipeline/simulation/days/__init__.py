"""Logs that go on from day to day: users, items and preferences come, change and go."""
