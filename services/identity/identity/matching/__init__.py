"""Matching (人员核对): do this login name, number and name belong to one person here?"""
