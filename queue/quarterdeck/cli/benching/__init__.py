"""What `quarterdeck bench` is made of: a server of its own, contenders in their own processes, measures, a report.

It ships, so that anybody can measure on their own machine. Nothing else imports it.
"""
