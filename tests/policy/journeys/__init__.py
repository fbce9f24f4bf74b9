"""The journeys of care, as far as access goes: who may do each step, and each *Block*.

    J1 a GP opens, plans, shares        test_j1_gp_plans.py
    J2 admitted, discharged             test_j2_admission.py
    J3 home care                        test_j3_home_care.py
    J4 the patient adds                 test_j4_patient_adds.py
    J5 a carer acts                     test_j5_carer.py
    J6 a crisis                         test_j6_crisis.py
    J7 break-glass                      test_j7_break_glass.py
    J8 a referral                       test_j8_referral.py
    J9 a correction                     test_j9_correction.py
    J10 a restriction                   test_j10_restrictions.py

What each leaves out, since it is a rule of care or a page, its docstring says.
"""
