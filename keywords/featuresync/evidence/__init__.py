"""Consumers of one record of the run: ladder, capture, Allure, matrix, xunit, redaction."""
