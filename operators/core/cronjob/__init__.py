"""CronJob: run Jobs by a schedule. Mirrors pkg/controller/cronjob."""
