"""alerts owns notices and alerts, and the live stream of the command centre.

Publishes `notice-activated|ended` (alerts.notices) and `alert-raised` … `alert-retracted` (alerts.alerts).
Listens to registration.stays (matching), housing.premises and registration.units (addresses and names on its pages).
"""
